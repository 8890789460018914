"""`lab compare`: tables of questions with one tested answer per variant."""
