"""The SVG elements and attributes that may be published: the ones that draw, and inert metadata.

An allow-list, because a deny-list forgets. Left out on purpose: script, foreignObject, embedded HTML and media,
handlers (every `on…`), `xml:base`, and SVG Tiny's `handler` and `listener`.
"""

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"

# Editors leave elements and attributes of these behind; no browser gives them a meaning.
INERT_NAMESPACES = frozenset({
    "http://creativecommons.org/ns#",
    "http://ns.adobe.com/AdobeIllustrator/10.0/",
    "http://ns.adobe.com/AdobeSVGViewerExtensions/3.0/",
    "http://ns.adobe.com/Extensibility/1.0/",
    "http://ns.adobe.com/Graphs/1.0/",
    "http://ns.adobe.com/Variables/1.0/",
    "http://ns.adobe.com/xap/1.0/",
    "http://ns.adobe.com/xap/1.0/mm/",
    "http://purl.org/dc/elements/1.1/",
    "http://purl.org/dc/terms/",
    "http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd",
    "http://web.resource.org/cc/",
    "http://www.bohemiancoding.com/sketch/ns",
    "http://www.inkscape.org/namespaces/inkscape",
    "http://www.serif.com/",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "https://boxy-svg.com",
    "adobe:ns:meta/",
})  # fmt: skip

_ELEMENTS = """
    a circle clipPath defs desc ellipse filter g image line linearGradient marker mask metadata path pattern polygon
    polyline radialGradient rect stop style svg switch symbol text textPath title tspan use view
    animate animateMotion animateTransform mpath set
    feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap
    feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode
    feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence
"""
ELEMENTS = frozenset(_ELEMENTS.split())

ANIMATIONS = frozenset({"animate", "animateMotion", "animateTransform", "set"})

_ATTRIBUTES = """
    class color-scheme crossorigin enable-background height href id lang media preserveAspectRatio role style tabindex
    target transform type version baseProfile viewBox width x y zoomAndPan requiredExtensions requiredFeatures
    systemLanguage contentStyleType contentScriptType
    cx cy d dx dy fr fx fy gradientTransform gradientUnits lengthAdjust method offset pathLength points r refX refY
    rotate rx ry side spacing spreadMethod startOffset textLength x1 x2 y1 y2
    clipPathUnits filterUnits markerHeight markerUnits markerWidth maskContentUnits maskUnits orient
    patternContentUnits patternTransform patternUnits primitiveUnits filterRes
    amplitude azimuth baseFrequency bias diffuseConstant divisor edgeMode elevation exponent in in2 intercept k1 k2 k3
    k4 kernelMatrix kernelUnitLength limitingConeAngle mode numOctaves operator order pointsAtX pointsAtY pointsAtZ
    preserveAlpha radius result scale seed slope specularConstant specularExponent stdDeviation stitchTiles
    surfaceScale tableValues targetX targetY values xChannelSelector yChannelSelector z
    accumulate additive attributeName attributeType begin by calcMode dur end fill from keyPoints keySplines keyTimes
    max min origin path repeatCount repeatDur restart to
    alignment-baseline background background-color baseline-shift clip clip-path clip-rule color color-interpolation
    color-interpolation-filters color-profile color-rendering cursor direction display dominant-baseline fill-opacity
    fill-rule filter flood-color flood-opacity font font-family font-feature-settings font-kerning font-size
    font-size-adjust font-stretch font-style font-variant font-variation-settings font-weight
    glyph-orientation-horizontal glyph-orientation-vertical image-rendering isolation kerning letter-spacing
    lighting-color line-height marker marker-end marker-mid marker-start mask mask-type mix-blend-mode opacity overflow
    paint-order pointer-events shape-rendering solid-color solid-opacity stop-color stop-opacity stroke
    stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width
    text-align text-anchor text-decoration text-orientation text-overflow text-rendering transform-box
    transform-origin unicode-bidi vector-effect visibility white-space word-spacing writing-mode
"""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())

# A namespaced attribute is spelled {namespace}name, as ElementTree does.
NAMESPACED_ATTRIBUTES = frozenset({
    *(f"{{{XLINK}}}{name}" for name in ("actuate", "arcrole", "href", "role", "show", "title", "type")),
    *(f"{{{XML}}}{name}" for name in ("id", "lang", "space")),
})  # fmt: skip
REFERENCES = frozenset({"href", f"{{{XLINK}}}href"})
FREE_PREFIXES = ("data-", "aria-")
