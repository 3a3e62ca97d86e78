// SPDX-License-Identifier: GPL-2.0
/*
 * What Kubernetes' API would refuse of documents, as a JSON array on stdin: a line for
 * each field with a wrong value, each that is missing, and each that does not exist.
 * usage: node api.js FOLDER    where npm has installed what package.json names
 */
"use strict";
const fs = require("fs");
const path = require("path");
const schemas = path.resolve(process.argv[2], "node_modules/kubernetes-models/_schemas");

/*
 * The validators do not mind fields that are not in the schema, but they read all that
 * are: what was not read in the end does not exist.
 */
function watch(value, where, unread)
{
	if (typeof value !== "object" || value === null)
		return value;
	const copy = Array.isArray(value) ? [] : {};

	for (const [key, child] of Object.entries(value)) {
		unread.add(`${where}/${key}`);
		copy[key] = watch(child, `${where}/${key}`, unread);
	}
	return new Proxy(copy, {
		get(target, key) {
			unread.delete(`${where}/${String(key)}`);
			return target[key];
		},
	});
}

function capital(word)
{
	return word[0].toUpperCase() + word.slice(1);
}

// apps/v1 and DaemonSet are in IoK8sApiAppsV1DaemonSet; v1 alone is of the group core.
function validator(document)
{
	const parts = document.apiVersion.split("/");
	const group = parts.length > 1 ? parts.shift().split(".")[0] : "core";
	const name = `IoK8sApi${capital(group)}${capital(parts[0])}${document.kind}`;

	return require(path.join(schemas, `${name}.js`)).validate;
}

for (const document of JSON.parse(fs.readFileSync(0))) {
	const name = `${document.kind} ${document.metadata.name}`;
	const unread = new Set();
	const validate = validator(document);

	if (!validate(watch(document, "", unread)))
		for (const error of validate.errors)
			console.log(`${name}: ${error.instancePath}: ${error.keyword} ` +
				    JSON.stringify(error.params));
	// Below one that does not exist, nothing is read.
	for (const field of unread)
		if (![...unread].some((above) => field.startsWith(`${above}/`)))
			console.log(`${name}: ${field} is no field of it`);
}
