"""Dagster assets that move z-interact's base64 images from SQL to Cloudflare R2."""
