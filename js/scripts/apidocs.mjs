// Writes docs/api.md: every type that the package exports, as declared in dist, with its comments. `make docs` runs it.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const js = dirname(dirname(fileURLToPath(import.meta.url)));

/** The page, as text. */
export function apiPage() {
  const { name: packageName, exports } = JSON.parse(readFileSync(join(js, "package.json"), "utf8"));
  const entries = Object.entries(exports).filter(([name, { types }]) => types && name !== "./worker");
  const paths = entries.map(([, { types }]) => join(js, types));
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true };
  const program = ts.createProgram(paths, options);
  const checker = program.getTypeChecker();
  const own = (symbol) => symbol?.declarations?.some((d) => d.getSourceFile().fileName.startsWith(join(js, "dist")));
  const resolve = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

  const written = new Map(); // symbol → name on the page
  const sections = entries.map(([entry], i) => {
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(paths[i])));
    const added = [];
    for (const symbol of exported) {
      const target = resolve(symbol);
      if (written.has(target)) continue;
      written.set(target, symbol.name);
      added.push(target);
    }
    for (const symbol of added) { // what they refer to without exporting it; the loop reads what it adds
      for (const used of usedBy(symbol)) {
        if (written.has(used)) continue;
        written.set(used, used.name);
        added.push(used);
      }
    }
    return { title: `${packageName}${entry.slice(1)}`, added, all: exported.length };
  });

  /** The symbols of the package that a declaration refers to. */
  function usedBy(symbol) {
    const found = new Set();
    const visit = (node) => {
      if (ts.isIdentifier(node)) {
        const used = checker.getSymbolAtLocation(node);
        const target = used && resolve(used);
        if (own(target) && target.declarations.some((d) => isTopLevel(d)) && target !== symbol) found.add(target);
      }
      ts.forEachChild(node, visit);
    };
    for (const declaration of symbol.declarations) visit(declaration);
    return found;
  }

  function section(symbol) {
    const texts = symbol.declarations.map((d) => statementOf(d).getText().replace(/^export /, "").replace(/^declare /, ""));
    const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    const used = [...usedBy(symbol)].map((s) => written.get(s)).sort().map((n) => `[${n}](#${n.toLowerCase()})`);
    const code = `\`\`\`ts\n${texts.join("\n")}\n\`\`\``;
    const parts = [`### ${written.get(symbol)}`, comment, code, used.length > 0 && `Refers to ${used.join(", ")}.`];
    return parts.filter(Boolean).join("\n\n");
  }

  const isType = (symbol) => !(symbol.flags & ts.SymbolFlags.Value);
  const body = sections.map(({ title, added }) => {
    const sorted = added.sort((a, b) => isType(a) - isType(b) || (written.get(a) < written.get(b) ? -1 : 1));
    return [`## ${title}`, ...sorted.map(section)].join("\n\n");
  });
  return `# API\n\n${intro}\n\n${body.join("\n\n")}\n`;
}

const intro = `\
Every function and type that the package exports, by entry. Types that an entry shares with one above it are listed once.
\`make docs\` writes this page from the type declarations.`;

const isTopLevel = (declaration) => ts.isSourceFile(statementOf(declaration).parent) && !ts.isSourceFile(declaration)
  && !ts.isTypeParameterDeclaration(declaration) && !ts.isParameter(declaration) && !ts.isTypeElement(declaration)
  && !ts.isClassElement(declaration) && !ts.isModuleDeclaration(declaration);

/** The statement of a declaration: that of a variable has its keyword. */
const statementOf = (declaration) => (ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration);

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(js, "docs/api.md"), apiPage());
