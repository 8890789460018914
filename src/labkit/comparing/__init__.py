"""The labs beside each other: what they answer, what they cost, and which one to take."""
