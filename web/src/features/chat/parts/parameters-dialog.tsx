// Model settings of one conversation.
import { useState } from "react";
import { Button } from "@/shared/ui/button.tsx";
import { Dialog, DialogActions } from "@/shared/ui/dialog.tsx";
import { Slider, TextArea, TextField } from "@/shared/ui/field.tsx";
import { DEFAULT_PARAMETERS, type Parameters } from "../model/conversation.ts";

export interface ParametersDialogProps {
  parameters: Parameters;
  onClose: () => void;
  onChange: (parameters: Parameters) => void;
}

export function ParametersDialog({ parameters, onClose, onChange }: ParametersDialogProps) {
  const [draft, setDraft] = useState(parameters);
  const set = (change: Partial<Parameters>) => setDraft((now) => ({ ...now, ...change }));
  const badSeed = draft.seed !== "" && !/^\d{1,9}$/.test(draft.seed);
  const save = () => {
    onChange(draft);
    onClose();
  };
  return (
    <Dialog open onClose={onClose} title="Settings of this conversation">
      <TextArea label="System message" hint="Said to the model before the conversation. Empty: the model's own." rows={3} value={draft.system} onChange={(event) => set({ system: event.target.value })} />
      <Slider label="Temperature" hint="0: always the likeliest word. Higher: more varied." min={0} max={2} step={0.05} value={draft.temperature} onChange={(temperature) => set({ temperature })} />
      <Slider label="Top p" hint="Only words within this part of the likelihood are drawn from." min={0.05} max={1} step={0.05} value={draft.topP} onChange={(topP) => set({ topP })} />
      <Slider label="Longest answer, in tokens" hint="You set aside the price of this many before each answer; what is not used stays yours." min={16} max={2048} step={16} value={draft.maxTokens} onChange={(maxTokens) => set({ maxTokens })} />
      <TextField
        label="Seed"
        inputMode="numeric"
        placeholder="random"
        hint="With the same seed and settings the answer is the same, bit for bit."
        error={badSeed ? "A number of at most nine digits, or nothing." : undefined}
        value={draft.seed}
        onChange={(event) => set({ seed: event.target.value.trim() })}
      />
      <DialogActions>
        <Button kind="quiet" onClick={() => setDraft(DEFAULT_PARAMETERS)}>
          Defaults
        </Button>
        <Button kind="primary" disabled={badSeed} onClick={save}>
          Use these
        </Button>
      </DialogActions>
    </Dialog>
  );
}
