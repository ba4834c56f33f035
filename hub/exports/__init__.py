"""What leaves the centre as files: the tables of its pages, statements for a learning record store, facts for analysts."""
