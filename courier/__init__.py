"""The laptop of the officer who carries data: takes parts from sticks, brings them to the centre, and brings back what is for the villages."""
