/** Tabs that do not fit: the one that is open is in sight, and an edge behind which there are more says so. */

/** @param {Element} bar */
function tell(bar) {
  const behind = Math.abs(bar.scrollLeft);
  const ahead = bar.scrollWidth - bar.clientWidth - behind;
  bar.toggleAttribute("data-more-behind", behind > 1);
  bar.toggleAttribute("data-more-ahead", ahead > 1);
}

const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) tell(target);
});

function begin() {
  for (const bar of document.querySelectorAll(".tabs")) {
    bar.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
    bar.addEventListener("scroll", () => tell(bar), { passive: true });
    sizes.observe(bar);
  }
}

/** Listen from now on. */
export function startTabs() {
  document.addEventListener("bitvault:page", begin);
  begin();
}
