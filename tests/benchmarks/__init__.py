"""That the measuring works; what it measures is nobody's test."""
