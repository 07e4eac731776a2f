// Letters of mathematics in their own places of Unicode: ℝ for a double-struck R. MathML Core has dropped the attribute
// that said so, mathvariant, for all but "normal"; KaTeX still writes it.
//
//   letters(math)     puts the letters of a <math> element right

// by variant: where A, a and 0 stand in "Mathematical Alphanumeric Symbols" (U+1D400 …)
const PLACES = {
  bold: { A: 0x1d400, a: 0x1d41a, 0: 0x1d7ce },
  "bold-italic": { A: 0x1d468, a: 0x1d482 },
  script: { A: 0x1d49c, a: 0x1d4b6 },
  fraktur: { A: 0x1d504, a: 0x1d51e },
  "double-struck": { A: 0x1d538, a: 0x1d552, 0: 0x1d7d8 },
  "sans-serif": { A: 0x1d5a0, a: 0x1d5ba, 0: 0x1d7e2 },
  monospace: { A: 0x1d670, a: 0x1d68a, 0: 0x1d7f6 },
};
// those that Unicode had before, and left holes for
const ELSEWHERE = {
  script: "BℬEℰFℱHℋIℐLℒMℳRℛeℯgℊoℴ",
  fraktur: "CℭHℌIℑRℜZℨ",
  "double-struck": "CℂHℍNℕPℙQℚRℝZℤ",
};

export function letters(math) {
  for (const each of math.querySelectorAll("[mathvariant]")) {
    const variant = each.getAttribute("mathvariant");
    if (!PLACES[variant] || each.childElementCount) continue;
    each.textContent = each.textContent.replace(/[A-Za-z0-9]/g, (letter) => moved(letter, variant));
    each.removeAttribute("mathvariant");
  }
}

function moved(letter, variant) {
  const at = ELSEWHERE[variant]?.indexOf(letter) ?? -1;
  if (at >= 0) return ELSEWHERE[variant][at + 1];
  const first = letter >= "a" ? "a" : letter >= "A" ? "A" : "0";
  const place = PLACES[variant][first];
  return place ? String.fromCodePoint(place + letter.charCodeAt(0) - first.charCodeAt(0)) : letter;
}
