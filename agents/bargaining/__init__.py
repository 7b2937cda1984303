"""Those who make demands of a rival they know little of, and those who answer them."""
