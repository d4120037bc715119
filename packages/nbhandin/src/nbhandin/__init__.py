"""A page where students hand in notebooks, and learn at once how they did."""
