// The conversations that are kept in this browser.
import { MessageSquarePlus, Trash2 } from "lucide-react";
import { Link } from "react-router";
import { cx } from "@/shared/lib/cx.ts";
import { ButtonLink, IconButton } from "@/shared/ui/button.tsx";
import type { Conversation } from "../model/conversation.ts";
import styles from "./conversation-list.module.css";

export interface ConversationListProps {
  conversations: readonly Conversation[];
  current: string | undefined;
  onRemove: (id: string) => void;
}

export function ConversationList({ conversations, current, onRemove }: ConversationListProps) {
  const kept = conversations.filter((one) => one.messages.length > 0);
  return (
    <nav className={styles.frame} aria-label="Conversations">
      <ButtonLink to="/chat" icon={<MessageSquarePlus aria-hidden />}>
        New conversation
      </ButtonLink>
      {kept.length === 0 ? (
        <p className={styles.none}>No conversations yet. They are kept here, encrypted.</p>
      ) : (
        <ul className={styles.list}>
          {kept.map((one) => (
            <li key={one.id} className={cx(styles.item, one.id === current && styles.current)}>
              <Link to={`/chat/${one.id}`} aria-current={one.id === current ? "page" : undefined}>
                {one.title}
              </Link>
              <IconButton label={`Delete ${one.title}`} onClick={() => onRemove(one.id)}>
                <Trash2 aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}
