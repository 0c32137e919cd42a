using System.Runtime.CompilerServices;

// Without this every P/Invoke of the assembly needs a stub compiled at run time, some 0.3 ms each at start; with it ReadyToRun compiles
// them.
[assembly: DisableRuntimeMarshalling]
