"""The pages, one module a place. A view parses, makes one call, then redirects or renders."""
