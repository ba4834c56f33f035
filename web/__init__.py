"""What the programs of the village, the officer and the centre share around their work: for pages languages,
security, error pages and style; for commands a progress bar; the files of a data folder.

`web.app.prepare` turns a bare Flask application into one of ours. Nothing here knows a learner, a course
or a log.
"""
