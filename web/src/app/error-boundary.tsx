// The last handler of a page: an error of our own ends that page, not the whole bundle.
import { Component, type ReactNode } from "react";
import { Button } from "@/shared/ui/button.tsx";
import { Page } from "@/shared/ui/page.tsx";

interface State {
  error: Error | null;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <Page title="This page stopped" lead="A fault of the page itself. Nothing was sent and no money moved because of it.">
        <pre>{this.state.error.message}</pre>
        <div>
          <Button kind="primary" onClick={() => location.reload()}>
            Load it again
          </Button>
        </div>
      </Page>
    );
  }
}
