"""Makes the factories beside this file (`village`, …) importable from every test."""
