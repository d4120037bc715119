"""What is measured for the thresholds, a module for each kind of data."""
