"""Simulated matches with every truth attached: play, people, places, cameras, pictures, files."""
