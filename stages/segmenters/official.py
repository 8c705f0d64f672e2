"""The three published SAM weight files: addresses and checksums."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfficialWeights:
    """Address and checksum of a published checkpoint."""

    model: str
    url: str
    sha256: str


_FOLDER = "https://dl.fbaipublicfiles.com/segment_anything"
OFFICIAL = {
    name: OfficialWeights(model, f"{_FOLDER}/{name}", digest)
    for model, name, digest in (
        (
            "vit_h",
            "sam_vit_h_4b8939.pth",
            "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        ),
        (
            "vit_l",
            "sam_vit_l_0b3195.pth",
            "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        ),
        (
            "vit_b",
            "sam_vit_b_01ec64.pth",
            "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        ),
    )
}
