"""What a sighting costs: in time, on disk, and for those who are not flooding."""
