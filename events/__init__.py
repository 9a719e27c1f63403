"""What is on, when it goes on sale, who gets in."""
