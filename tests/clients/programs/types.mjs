// Writes the TypeScript types of an OpenAPI document; a file is a Blob, which the generator leaves to its users.
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const [source, target] = process.argv.slice(2);
const blob = ts.factory.createTypeReferenceNode("Blob");
const nodes = await openapiTS(pathToFileURL(source), {
  defaultNonNullable: false,
  transform: (schema) => (schema.format === "binary" ? blob : undefined),
});
writeFileSync(target, astToString(nodes));
