import { useId, useMemo, useRef, useState } from "preact/hooks";
import { matching, type Name } from "../view/names.ts";

interface ComboboxProps {
  readonly label: string;
  readonly value: string;
  readonly names: readonly Name[];
  readonly placeholder: string;
  readonly onValue: (value: string) => void;
  readonly onEnter: () => void;
}

const MOST = 12;

/** A text field that offers what it can be completed to (the ARIA combobox pattern, list autocomplete). */
export function Combobox({ label, value, names, placeholder, onValue, onEnter }: ComboboxProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [typed, setTyped] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const options = useMemo(() => (open ? matching(names, typed, MOST) : []), [open, names, typed]);
  const choose = (text: string): void => {
    onValue(text);
    setOpen(false);
    setActive(-1);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) {
        setTyped("");
        setOpen(true);
        return;
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(
        (active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % Math.max(1, options.length),
      );
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = options[active];
      if (open && chosen !== undefined) choose(chosen.text);
      else {
        setOpen(false);
        onEnter();
      }
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div class="field combobox">
      <label for={id}>{label}</label>
      <input
        id={id}
        ref={input}
        type="text"
        role="combobox"
        aria-expanded={open && options.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 && open ? `${id}-${active}` : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={placeholder}
        value={value}
        onInput={({ currentTarget }) => {
          onValue(currentTarget.value);
          setTyped(currentTarget.value);
          setActive(-1);
          setOpen(true);
        }}
        onKeyDown={onKeyDown}
        onFocus={({ currentTarget }) => currentTarget.select()}
        onClick={() => {
          setTyped("");
          setOpen(true);
        }}
        onBlur={() => setOpen(false)}
      />
      <div
        class="listbox"
        id={`${id}-list`}
        role="listbox"
        aria-label={label}
        hidden={!open || options.length === 0}
      >
        {options.map(({ text, note }, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys, as the pattern wants
          <div
            key={text}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === active}
            // before the input's blur closes the list
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(text)}
          >
            <span class="option-text">{text}</span>
            <span class="option-note">{note}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
