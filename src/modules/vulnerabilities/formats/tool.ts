/** How a document names what made it. */
export interface Tool {
  name: string;
  version: string;
}
