using Holdfast.Server.Hosting;

string? Arg(string n) { int i = Array.IndexOf(args, n); return i >= 0 ? args[i + 1] : null; }
return await ServerHost.RunAsync(new ServeOptions { DataDirectory = Arg("--data"), Port = int.Parse(Arg("--port") ?? "0", System.Globalization.CultureInfo.InvariantCulture), Root = Arg("--root") ?? "." }, default);
