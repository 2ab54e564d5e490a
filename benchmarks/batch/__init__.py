"""What checking a whole project costs."""
