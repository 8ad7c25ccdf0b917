"""What we know, in the forms in which others read it. Pure: from our nouns to bytes, and no further."""
