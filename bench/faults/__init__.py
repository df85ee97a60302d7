"""Make things go wrong in whole sessions, and see that no pulse leaves afterwards."""
