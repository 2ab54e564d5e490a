"""What modules look like from outside, for reading where they are not installed. Never imported."""
