"use strict";
// Everything that is a stranger's text is put in as text, never as HTML.
const PER_PAGE = 60;
const handed = {};
const waiting = {};
function maskmill(name, value) {
  handed[name] = value;
  (waiting[name] || []).forEach((go) => go(value));
  delete waiting[name];
  if (name === "page") start(value);
}

const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (name) node.className = name;
  return node;
}
function drawn(tag, values, name) {
  const node = document.createElementNS(SVG, tag);
  for (const key in values) node.setAttribute(key, values[key]);
  if (name) node.setAttribute("class", name);
  return node;
}
const fixed = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));

const ORDERS = {
  quality: { text: "quality, worst first", of: (c) => c.q },
  score: { text: "score, worst first", of: (c) => c.p },
  iou: { text: "mask IoU, worst first", of: (c) => c.u, truth: true },
  small: { text: "smallest first", of: (c) => c.a },
  large: { text: "largest first", of: (c) => -c.a },
  image: { text: "by image", of: (c) => c.i },
};
let page, found = [], number = 0, opened = -1;

function start(value) {
  page = value;
  page.cards.forEach((card, index) => { card.at = index; });
  for (const key of ["c", "k", "s"]) {
    const names = [...new Set(page.cards.map((card) => card[key]))].sort();
    at("by-" + key).append(new Option("all", ""), ...names.map((name) => new Option(name, "=" + name)));
    at("by-" + key).addEventListener("change", search);
  }
  const known = page.cards.some((card) => card.u !== null);
  for (const key in ORDERS) if (known || !ORDERS[key].truth) at("order").append(new Option(ORDERS[key].text, key));
  at("order").addEventListener("change", search);
  at("search").addEventListener("input", search);
  at("tools").addEventListener("submit", (event) => event.preventDefault());
  at("back").addEventListener("click", () => turn(-1));
  at("on").addEventListener("click", () => turn(1));
  at("card").addEventListener("close", closed);
  document.addEventListener("keydown", key);
  search();
}

function search() {
  const text = at("search").value.trim().toLowerCase();
  const wanted = ["c", "k", "s"].map((name) => [name, at("by-" + name).value]).filter((pair) => pair[1]);
  const fits = (card) => wanted.every(([name, value]) => "=" + card[name] === value)
    && (!text || card.f.toLowerCase().includes(text) || String(card.i) === text);
  const of = ORDERS[at("order").value].of;
  const last = (value) => (value === null ? Infinity : value);
  found = page.cards.filter(fits).sort((a, b) => last(of(a)) - last(of(b)) || a.at - b.at);
  number = 0;
  show();
}

const pages = () => Math.max(Math.ceil(found.length / PER_PAGE), 1);
function turn(by) {
  const next = Math.min(Math.max(number + by, 0), pages() - 1);
  if (next !== number) { number = next; show(); }
}
function show() {
  at("count").textContent = `${found.length} of ${page.cards.length} labels`;
  at("place").textContent = `${number + 1} of ${pages()}`;
  at("back").disabled = number === 0;
  at("on").disabled = number === pages() - 1;
  const first = number * PER_PAGE;
  at("grid").replaceChildren(...found.slice(first, first + PER_PAGE).map((card, place) => tile(card, first + place)));
}

function tile(card, place) {
  const node = make("button", null, "card");
  node.type = "button";
  node.dataset.place = place;
  const iou = card.u === null ? "" : `, IoU ${fixed(card.u, 2)}`;
  node.append(picture(card, card.m, "mask"), make("span", card.c, "name"),
    make("span", `q ${fixed(card.q, 2)}, score ${fixed(card.p, 2)}${iou}`, "sub numbers"),
    make("span", card.r, "why"),
    make("span", `${card.k}, ${card.s}${card.t === "given" ? "" : ", " + card.t}`, "sub"), make("span", card.f, "sub"));
  node.title = `image ${card.i}, object ${card.n}: ${card.f}`;
  node.addEventListener("click", () => open(place));
  return node;
}

function picture(card, outline, name) {
  const node = make("div", null, "picture");
  const svg = drawn("svg", { viewBox: `0 0 ${card.w} ${card.h}`, role: "img" });
  const folder = String(Math.floor(card.at / 1000)).padStart(3, "0");
  const path = `${page.pictures}/${folder}/${String(card.at).padStart(6, "0")}.jpg`;
  svg.append(drawn("image", { href: path, width: card.w, height: card.h }));
  if (outline) svg.append(drawn("path", { d: outline }, name));
  for (const [x, y] of card.d) svg.append(drawn("circle", { cx: x, cy: y, r: card.w / 60 }, "dot"));
  for (const [x0, y0, x1, y1] of card.b) svg.append(drawn("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }, "given"));
  node.append(svg);
  return node;
}

function later(name, go) {
  if (name in handed) { go(handed[name]); return; }
  (waiting[name] = waiting[name] || []).push(go);
  if (waiting[name].length > 1) return;
  const node = make("script");
  node.src = name;
  node.addEventListener("error", () => { at("inside").append(make("p", `${name} is missing beside this page.`, "warning")); });
  document.head.append(node);
}

function open(place) {
  if (place < 0 || place >= found.length) return;
  opened = place;
  const card = found[place];
  if (Math.floor(place / PER_PAGE) !== number) { number = Math.floor(place / PER_PAGE); show(); }
  at("inside").replaceChildren(make("h3", `${card.c} – image ${card.i}, object ${card.n}`),
    make("p", `${card.f} (${place + 1} of ${found.length})`, "note"));
  if (!at("card").open) at("card").showModal();
  const name = `${page.trails}/${String(Math.floor(card.at / page.per_file)).padStart(5, "0")}.js`;
  later(name, (backs) => { if (opened === place) inside(card, backs[card.at % page.per_file]); });
}

function inside(card, back) {
  const two = make("div", null, "two");
  const left = picture(card, card.m, "mask");
  const outline = (path, name) => {
    left.querySelectorAll("path").forEach((node) => node.remove());
    if (path) left.querySelector("image").after(drawn("path", { d: path }, name));
  };
  const facts = make("div", null, "facts");
  const known = card.u === null ? "" : `, mask IoU ${fixed(card.u)}`;
  facts.append(make("p", `given: ${back.labels.join(", ") || "nothing"}`),
    make("p", `score ${fixed(card.p)}, quality ${fixed(card.q)}${known}; ${(100 * card.a).toFixed(2)} % of the image`),
    make("p", back.result), make("p", back.grade));
  const steps = make("ol");
  back.steps.forEach((text) => steps.append(make("li", text)));
  facts.append(steps);
  two.append(left, facts);
  at("inside").append(two);
  if (!back.proposals.length) { at("inside").append(make("p", "It has no proposals.", "note")); return; }
  const bag = make("table");
  const head = make("tr");
  ["", "id", "prompt", "slot", "predicted IoU", "stable", "area", "S_cls", "S_ins", "S_dis", "score"].forEach((text) => head.append(make("th", text)));
  bag.append(make("caption", "proposals; point at one to see it"), head);
  back.proposals.forEach((one) => {
    const row = make("tr", null, one.mark);
    row.tabIndex = 0;
    [one.mark, one.id, one.prompt, one.slot, fixed(one.iou), fixed(one.stable), one.area, ...(one.scores.length ? one.scores : [null, null, null, null]).map((v) => fixed(v))]
      .forEach((text) => row.append(make("td", text)));
    for (const name of ["mouseenter", "focus"]) row.addEventListener(name, () => outline(one.m, "other"));
    for (const name of ["mouseleave", "blur"]) row.addEventListener(name, () => outline(card.m, "mask"));
    bag.append(row);
  });
  const around = make("div", null, "bag");
  around.append(bag);
  at("inside").append(around);
}

function closed() {
  const place = opened;
  opened = -1;
  const node = at("grid").querySelector(`[data-place="${place}"]`);
  if (node) node.focus();
}

function key(event) {
  const typing = ["INPUT", "SELECT"].includes(document.activeElement.tagName);
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (typing) { if (event.key === "Escape") document.activeElement.blur(); return; }
  const by = { ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1 }[event.key];
  if (at("card").open) {
    if (by) { event.preventDefault(); open(opened + by); }
    return;
  }
  if (event.key === "/") { event.preventDefault(); at("search").focus(); }
  else if (event.key === "n") turn(1);
  else if (event.key === "p") turn(-1);
  else if (by) {
    const cards = [...at("grid").children];
    const here = cards.indexOf(document.activeElement);
    const next = cards[Math.min(Math.max(here + by, 0), cards.length - 1)];
    if (next) { event.preventDefault(); next.focus(); }
  }
}
