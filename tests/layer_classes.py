"""Names of Keras's layer classes that several tests leave out, each for a reason of its own."""

# fmt: off
RANDOM = (
    "AugMix", "CutMix", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter",
    "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation",
    "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom",
)
PREPARING = (
    "AutoContrast", "CategoryEncoding", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization",
    "Discretization", "Equalization", "HashedCrossing", "Hashing", "MaxNumBoundingBoxes", "MelSpectrogram",
    "Resizing", "STFTSpectrogram", "Solarization",
)
# fmt: on
