"""Tables of text, figures and trails: what a person looks at."""
