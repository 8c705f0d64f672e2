"""What a person looks at and mends: the most doubtful labels, as a list and as tasks of tools."""
