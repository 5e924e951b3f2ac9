// @ts-check
// What a saved page holds of a layer, or of the whole network.

/**
 * @import { Item } from "../choices/view.js"
 * @typedef {{title: string, tabs: Item[], views: Record<string, any>}} Owner
 */

/**
 * The view to show: the one that is wanted if the page has it, or else the first that it has, in the order of the tabs.
 * @param {Owner} owner
 * @param {string | undefined} wanted
 */
export function stored({ tabs, views }, wanted) {
  if (wanted !== undefined && wanted in views) return wanted;
  // The page begins with the view that was on screen, which is stored first.
  return wanted === undefined ? Object.keys(views)[0] : (tabs.find(({ name }) => name in views)?.name ?? "");
}

/**
 * The tabs, those of views that the page does not have with that as their reason.
 * @param {Owner} owner
 * @returns {Item[]}
 */
export function tabsOf({ tabs, views }) {
  return tabs.map((tab) => (tab.name in views ? tab : { ...tab, reason: tab.reason ?? "not stored in this page" }));
}
