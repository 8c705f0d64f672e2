"""Keys of each network that makes boxes of points: `Settings`, by the name of its door."""
