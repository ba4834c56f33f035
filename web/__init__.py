"""What the pages of the village and of the centre share: languages, security, error pages, style.

`web.app.prepare` turns a bare Flask application into one of ours. Nothing here knows a learner, a course
or a log.
"""
