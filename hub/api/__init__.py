"""What programs of others read of this hub: JSON under `/api/v1`, described by OpenAPI, nothing to write.

`shapes` says what stands in an answer, `questions` what may be asked, `answers` reads it, `description` tells others.
"""
