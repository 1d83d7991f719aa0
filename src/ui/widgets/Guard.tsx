import { Component, type ReactNode } from 'react';
import { ErrorPanel } from './ErrorPanel.tsx';

/** Keeps a view's defect inside its panel: the rest of the page, and the machine, live on. */
export class Guard extends Component<
  { readonly name: string; readonly children: ReactNode },
  { readonly message: string | undefined }
> {
  override state: { readonly message: string | undefined } = { message: undefined };

  static getDerivedStateFromError(error: unknown): { readonly message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { message } = this.state;
    if (message === undefined) return this.props.children;
    return (
      <ErrorPanel
        title={`${this.props.name} stopped working`}
        detail={`${message}. The machine is not affected.`}
        ways={[{ label: 'Show it again', onPress: () => this.setState({ message: undefined }) }]}
      />
    );
  }
}
