"""The schema's history, oldest first, run by `gengfu db upgrade`. A version that was released is never edited."""
