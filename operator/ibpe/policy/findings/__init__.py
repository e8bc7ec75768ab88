"""What lint finds, element by element. Each module yields problems of one statement; none decides a request."""
