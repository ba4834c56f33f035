"""What is measured, and how. Results with machine, date and command stand in RESULTS.md."""
