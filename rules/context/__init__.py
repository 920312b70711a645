"""What conditions are computed on: rows, attributes, truth, geometry, the sun. Pure; knows no rule."""
