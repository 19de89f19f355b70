"""What a tryout on one machine needs: a local stand-in for R2 and a sample of the app's table. No migration code."""
