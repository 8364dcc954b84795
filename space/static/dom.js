/** Small helpers for the page. Texts are set as text, and never as markup. */

/**
 * A new element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * Tell screen readers of an element. (As properties of it some browsers do not know these attributes.)
 *
 * @template {Element} Kind
 * @param {Kind} element
 * @param {Record<string, string | boolean>} attributes
 * @returns {Kind}
 */
export function tell(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** The element with an id. @param {string} id @returns {any} */
export const find = (id) => document.getElementById(id);

/** @param {number} share 0–1 @param {number} [digits] behind the point */
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;

/** @param {number} count */
export const grouped = (count) => count.toLocaleString("en");

/**
 * Add names to a list to choose from. They stand apart from the page's own words there, and their values are numbers.
 *
 * @param {HTMLSelectElement} select
 * @param {string} label of these names
 * @param {string[]} names
 */
export function addNames(select, label, names) {
  const options = names.map((name, i) => make("option", { value: String(i) }, name));
  select.append(make("optgroup", { label }, ...options));
}

/** Show the number that a slider stands at. @param {HTMLInputElement} slider */
export function showValue(slider) {
  const output = /** @type {HTMLOutputElement} */ (slider.parentElement.querySelector("output"));
  const show = () => (output.value = slider.value);
  slider.addEventListener("input", show);
  show();
}

/** @param {string} address @returns {Promise<Response>} */
async function get(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} is missing`);
  return response;
}

/** @param {string} address */
export const getJson = async (address) => (await get(address)).json();

/** @param {string} address */
export const getBlob = async (address) => (await get(address)).blob();
