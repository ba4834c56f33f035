"""The centre: takes segments in, gives receipts, adds up who learned what, shows it to operators."""
