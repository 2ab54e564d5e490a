// As much of a document as the page of the panel needs: elements with text, attributes and listeners, and no HTML at all.
export class FakeElement {
  readonly attributes: Record<string, string> = {};
  readonly children: (FakeElement | string)[] = [];
  readonly listeners: Record<string, () => void> = {};

  constructor(readonly name: string) {}

  append(...parts: (FakeElement | string)[]): void {
    this.children.push(...parts);
  }

  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }

  addEventListener(name: string, listener: () => void): void {
    this.listeners[name] = listener;
  }

  focus(): void {
    this.listeners.focus?.();
  }

  get text(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join('');
  }

  /** Elements of a name below this one, in the order of the document. */
  all(name: string): FakeElement[] {
    const elements = this.children.filter((child) => typeof child !== 'string');
    return elements.flatMap((child) => [...(child.name === name ? [child] : []), ...child.all(name)]);
  }
}

export const fakeDocument = { createElement: (name: string) => new FakeElement(name) } as unknown as Document;
