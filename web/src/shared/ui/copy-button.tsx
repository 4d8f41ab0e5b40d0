import { Check, Copy } from "lucide-react";
import { useCopy } from "../lib/copy.ts";
import { Button, IconButton } from "./button.tsx";

export interface CopyButtonProps {
  text: string;
  label?: string;
  // An icon alone, with the label as its name.
  compact?: boolean;
}

export function CopyButton({ text, label = "Copy", compact = false }: CopyButtonProps) {
  const { copied, copy } = useCopy();
  const icon = copied ? <Check aria-hidden /> : <Copy aria-hidden />;
  if (compact) {
    return (
      <IconButton label={copied ? "Copied" : label} onClick={() => void copy(text)}>
        {icon}
      </IconButton>
    );
  }
  return (
    <Button size="s" icon={icon} onClick={() => void copy(text)}>
      {copied ? "Copied" : label}
    </Button>
  );
}
