"""What a hall is: venues, immutable seating plans, their geometry, and the seat map that draws them."""
