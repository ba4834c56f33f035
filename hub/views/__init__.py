"""The operators' pages, one module a place. A view parses, asks `hub.queries`, then redirects or renders."""
