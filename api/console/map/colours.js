// A colour of the page, as the reader's theme has it; maps are drawn by a library that knows no styles.

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
