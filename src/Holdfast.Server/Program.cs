using Holdfast.Server.Cli;

return await CommandLine.RunAsync(args);
