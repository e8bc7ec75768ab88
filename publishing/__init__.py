"""What a release consists of beside the image, and what must hold before one is made. No part of the product."""
